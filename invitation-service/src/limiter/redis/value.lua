-- What is kept of a member, in one string: a header, then the places taken, the earliest first.
--
--   1 byte    the version of this form
--   8 bytes   the store's incarnation; a value of another counts as absent
--   4 bytes   the cap in force
--   6 bytes   when the store was asked last
--   6 bytes   when a place was taken, or the store asked, last
--
-- Then 12 bytes for each place: its time, and the hash of its request (zeros where only the store had told of it). Times are milliseconds
-- since 1970. A place has the lowest 4 bytes of its own, which say all when taken relative to that time, since none is kept
-- that is later, or older than the window (31 days at most). What lies in order can be dropped, counted and cut without looking
-- at each place, and hashes are looked for by the string's own search.
--
-- This stands before each script. Every script has KEYS[1], the member's key, ARGV[1], the incarnation, and ARGV[2], the window.

local VERSION, HEADER, PLACE, FORM = 1, 25, 12, '>Bc8I4I6I6'
local ERA = 4294967296
local UNNAMED = '\0\0\0\0\0\0\0\0'

local window = tonumber(ARGV[2])
local value, cap, checked, latest, total = '', 0, 0, 0, 0

-- Reads what is kept; whether there is anything of this incarnation.
local function read()
  local found = redis.call('GET', KEYS[1])
  if not found or #found < HEADER or (#found - HEADER) % PLACE ~= 0 then return false end
  local version, incarnation, cap_then, checked_then, latest_then = struct.unpack(FORM, found)
  if version ~= VERSION or incarnation ~= ARGV[1] then return false end
  value, cap, checked, latest, total = found, cap_then, checked_then, latest_then, (#found - HEADER) / PLACE
  return true
end

-- The places from `first` on and before `last`, counted from 0, as they stand.
local function places(first, last)
  return string.sub(value, HEADER + PLACE * first + 1, HEADER + PLACE * last)
end

local function place(time, hash)
  return struct.pack('>I4', time % ERA) .. hash
end

local function time_at(index)
  return latest - (latest - struct.unpack('>I4', value, HEADER + PLACE * index + 1)) % ERA
end

-- The first place that is later than `border`, or how many there are.
local function later_than(border)
  local first = 0
  while first < total and time_at(first) <= border do first = first + 1 end
  return first
end

-- The first place from `first` on that has this hash, or nil.
local function find(hash, first)
  local at = HEADER + PLACE * first + 1
  while true do
    at = string.find(value, hash, at, true)
    if not at then return nil end
    local index = (at - 1 - HEADER - 4) / PLACE
    if index == math.floor(index) then return index end
    at = at + 1
  end
end

-- The time that was given, or Redis's own where none was; never earlier than a place was taken.
local function now(given)
  local time = tonumber(given)
  if not time then
    local clock = redis.call('TIME')
    time = clock[1] * 1000 + math.floor(clock[2] / 1000)
  end
  return math.max(time, latest)
end

-- Keeps these places, for as long as the last of them can count.
local function write(kept)
  redis.call('SET', KEYS[1], struct.pack(FORM, VERSION, ARGV[1], cap, checked, latest) .. kept, 'PX', window)
end

