-- A request was charged: ARGV[3] its hash, ARGV[4] the time. What the store has told of at that time is this very charge.
if not read() then return 0 end
local hash, time = ARGV[3], math.min(tonumber(ARGV[4]), latest + AHEAD - 1)
local charges, reservations = entries(0, charged), entries(charged, total)
local own = find(hash, HASH, charged, total)
if own then reservations = entries(charged, own) .. entries(own + 1, total) end
local charge = entry(time, hash)
if time > latest - window and not find(charge, TIME, 0, charged) then
  local at = find(entry(time, UNNAMED), TIME, 0, charged)
  local after = at and at + 1
  if not at then
    at = charged
    while at > 0 and time_at(at - 1) > time do at = at - 1 end
    after = at
  end
  charges = entries(0, at) .. charge .. entries(after, charged)
end
write(charges, reservations)
return 1
