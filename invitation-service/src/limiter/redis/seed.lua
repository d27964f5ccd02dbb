-- What the store knows: ARGV[3] now (or nothing), ARGV[4] the cap in force, ARGV[5] the times charged, the earliest first, 6 bytes each.
-- Charges that are not older than the last of these stay, for the store may have answered before they were made; reservations stay too.
read()
local time, times = now(ARGV[3]), ARGV[5]
local first = later_than(time - window, 0, charged)
local merged = {}
for at = 1, #times, 6 do
  local told = math.min(struct.unpack('>I6', times, at), time + AHEAD - 1)
  if told > time - window then
    while first < charged and time_at(first) < told do first = first + 1 end
    if first < charged and time_at(first) == told then
      merged[#merged + 1] = entries(first, first + 1)
      first = first + 1
    else
      merged[#merged + 1] = entry(told, UNNAMED)
    end
  end
end
merged[#merged + 1] = entries(first, charged)
local reservations = entries(later_than(time - window, charged, total), total)
cap, checked, latest = tonumber(ARGV[4]), time, time
write(table.concat(merged), reservations)
return 1
