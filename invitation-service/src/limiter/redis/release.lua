-- A request was not charged: ARGV[3] its hash. Its reservation goes; a charge of it stays.
if not read() then return 0 end
local own = find(ARGV[3], HASH, charged, total)
if not own then return 0 end
write(entries(0, charged), entries(charged, own) .. entries(own + 1, total))
return 1
