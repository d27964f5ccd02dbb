-- Takes a place for a request: ARGV[3] now (or nothing), ARGV[4] for how long a reservation stands, ARGV[5] after what time the store is
-- asked again, ARGV[6] the request's hash. Answers 0 ask the store, 1 full, 2 the request has a place already, 3 taken.
if not read() then return 0 end
local time = now(ARGV[3])
if time - checked >= tonumber(ARGV[5]) then return 0 end
local first = later_than(time - window, 0, charged)
local under_way = later_than(time - tonumber(ARGV[4]), charged, total)
local charges, reservations = entries(first, charged), entries(under_way, total)
local hash, answer = ARGV[6], 3
if find(hash, HASH, first, charged) or find(hash, HASH, under_way, total) then
  answer = 2
elseif #charges + #reservations >= cap * ENTRY then
  answer = 1
else
  reservations = reservations .. entry(time, hash)
end
latest = time
write(charges, reservations)
return answer
