-- What is kept of a member, in one string: a header, the charges (the earliest first), the reservations (likewise).
--
--   1 byte    the version of this form
--   8 bytes   the store's incarnation; a value of another counts as absent
--   4 bytes   the cap in force
--   6 bytes   when the store was asked last
--   6 bytes   the latest time seen
--   2 bytes   how many of the entries are charges
--
-- Then 12 bytes for each entry: its time, and the hash of its request (zeros where only the store had told of it). Times are milliseconds
-- since 1970. An entry has the lowest 4 bytes of its own, which say all when taken relative to the latest time seen, since none is kept
-- that is older than the window (31 days at most) or further ahead than AHEAD. What lies in order can be dropped, counted and cut without
-- looking at each entry, and hashes are looked for by the string's own search.
--
-- This stands before each script. Every script has KEYS[1], the member's key, ARGV[1], the incarnation, and ARGV[2], the window.

local VERSION, HEADER, ENTRY, FORM = 1, 27, 12, '>Bc8I4I6I6I2'
local ERA, AHEAD = 4294967296, 1073741824
local TIME, HASH = 0, 4
local UNNAMED = '\0\0\0\0\0\0\0\0'

local window = tonumber(ARGV[2])
local value, cap, checked, latest, charged, total = '', 0, 0, 0, 0, 0

-- Reads what is kept; whether there is anything of this incarnation.
local function read()
  local found = redis.call('GET', KEYS[1])
  if not found or #found < HEADER or (#found - HEADER) % ENTRY ~= 0 then return false end
  local version, incarnation, cap_then, checked_then, latest_then, charged_then = struct.unpack(FORM, found)
  local entries = (#found - HEADER) / ENTRY
  if version ~= VERSION or incarnation ~= ARGV[1] or charged_then > entries then return false end
  value, cap, checked, latest, charged, total = found, cap_then, checked_then, latest_then, charged_then, entries
  return true
end

-- The entries from `first` on and before `last`, counted from 0, as they stand.
local function entries(first, last)
  return string.sub(value, HEADER + ENTRY * first + 1, HEADER + ENTRY * last)
end

local function entry(time, hash)
  return struct.pack('>I4', time % ERA) .. hash
end

local function time_at(index)
  local age = (latest - struct.unpack('>I4', value, HEADER + ENTRY * index + 1)) % ERA
  if age >= ERA - AHEAD then age = age - ERA end
  return latest - age
end

-- The first entry from `first` on and before `last` that is later than `border`, or `last`.
local function later_than(border, first, last)
  while first < last and time_at(first) <= border do first = first + 1 end
  return first
end

-- The first entry from `first` on and before `last` that has `bytes` at `offset`, or nil.
local function find(bytes, offset, first, last)
  local at, stop = HEADER + ENTRY * first + 1, HEADER + ENTRY * last
  while true do
    at = string.find(value, bytes, at, true)
    if not at or at > stop then return nil end
    local index = (at - 1 - HEADER - offset) / ENTRY
    if index == math.floor(index) then return index end
    at = at + 1
  end
end

-- The time that was given, or Redis's own where none was; never earlier than the latest seen.
local function now(given)
  local time = tonumber(given)
  if not time then
    local clock = redis.call('TIME')
    time = clock[1] * 1000 + math.floor(clock[2] / 1000)
  end
  return math.max(time, latest)
end

-- Keeps these entries, for as long as the last of them can count.
local function write(charges, reservations)
  local header = struct.pack(FORM, VERSION, ARGV[1], cap, checked, latest, #charges / ENTRY)
  redis.call('SET', KEYS[1], header .. charges .. reservations, 'PX', window)
end

