-- Takes a place for a request: ARGV[3] now (or nothing), ARGV[4] after what time the store is asked again, ARGV[5] the request's hash.
-- Answers 0 ask the store, 1 full, 2 the request has a place already, 3 taken.
if not read() then return 0 end
local time = now(ARGV[3])
if time - checked >= tonumber(ARGV[4]) then return 0 end
local first = later_than(time - window)
if find(ARGV[5], first) then return 2 end
if total - first >= cap then return 1 end
latest = time
write(places(first, total) .. place(time, ARGV[5]))
return 3
