-- A request was not charged: ARGV[3] its hash. Its place is free again.
if not read() then return 0 end
local own = find(ARGV[3], 0)
if not own then return 0 end
write(places(0, own) .. places(own + 1, total))
return 1
