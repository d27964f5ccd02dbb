-- What the store knows: ARGV[3] now (or nothing), ARGV[4] the cap in force, ARGV[5] the times charged, the earliest first, 6 bytes each.
-- Places that are later than the last of these stay, and so do as many of its very time as the store has not told of: the store may have
-- answered before they were taken.
read()
local time, times = now(ARGV[3]), ARGV[5]
local told, last, same = {}, time - window, 0
for at = 1, #times, 6 do
  local charged = math.min(struct.unpack('>I6', times, at), time)
  if charged > time - window then
    same = charged == last and same + 1 or 1
    last = charged
    told[#told + 1] = place(charged, UNNAMED)
  end
end
local first = later_than(last)
if same > 0 then first = math.min(first, later_than(last - 1) + same) end
told[#told + 1] = places(first, total)
cap, checked, latest = tonumber(ARGV[4]), time, time
write(table.concat(told))
return 1
