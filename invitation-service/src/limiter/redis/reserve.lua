-- Takes a place for a request: ARGV[3] now (or nothing), ARGV[4] after what time the store is asked again, ARGV[5] the request's hash.
-- Answers 0 ask the store, 1 full, 2 the request has a place already, 3 taken.
if not read() then return 0 end
local time = now(ARGV[3])
if time - checked >= tonumber(ARGV[4]) then return 0 end
local first = later_than(time - window)
local kept, answer = places(first, total), 3
if find(ARGV[5], first) then
  answer = 2
elseif total - first >= cap then
  answer = 1
else
  kept = kept .. place(time, ARGV[5])
end
latest = time
write(kept)
return answer
