package limit

import "github.com/redis/go-redis/v9"

// What takeScript answers first; the second number is how long to wait, in microseconds.
const (
	passed     = 1
	minuteFull = 2
	dayFull    = 3
)

// Redis runs a script as one step: nothing comes between the checks and the counting. Times are in microseconds, which a
// Lua number (a float64) holds exactly until the year 2255. Written out with %.0f: tostring would round them.
//
// KEYS[1] is a sorted set, the log: score = when a request passed. KEYS[2] is a hash, the day: which one and how many.
// The day is in the value, not in the name of the key, because a cluster wants all names before the script runs.
// Both expire. The last argument is the time, in tests; else it is empty and Redis's own clock counts.
const prelude = `
local WINDOW, DAY = 60000000, 86400000000
local LOG_TTL = 61000 -- milliseconds; longer than the window, or the log would go before its last request has left

local function text(number) return string.format('%.0f', number) end

local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end

-- A failover to a server whose clock is behind must not bring yesterday back: its requests count in the new day. A clock
-- that was set back by more keeps the count.
local function counter(today)
  local c = redis.call('HMGET', KEYS[2], 'day', 'used')
  local day, used = tonumber(c[1] or today), tonumber(c[2] or 0)
  if day < today then return today, 0 end
  if day > today + 1 then return today, used end
  return day, used
end

local function store(now, day, used)
  redis.call('HSET', KEYS[2], 'day', text(day), 'used', text(used))
  redis.call('PEXPIRE', KEYS[2], text(math.ceil(((day + 1) * DAY - now) / 1000) + 3600000))
end
`

// takeScript: ARGV is the limit per minute, the limit per day, the time.
var takeScript = redis.NewScript(prelude + `
local perMinute, perDay, now = tonumber(ARGV[1]), tonumber(ARGV[2]), clock(ARGV[3])
local answer, wait = 1, 0

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - WINDOW))
local n = redis.call('ZCARD', KEYS[1])
if n >= perMinute then
  -- Above the limit, after it was lowered, more than the oldest must leave.
  local leaves = redis.call('ZRANGE', KEYS[1], n - perMinute, n - perMinute, 'WITHSCORES')
  answer, wait = 2, tonumber(leaves[2]) + WINDOW - now
  -- Requests of the future: Redis's clock was set back. Without this a key stays full until the clock has caught up.
  if wait > WINDOW then
    wait = LOG_TTL * 1000
    if redis.call('PTTL', KEYS[1]) > LOG_TTL then redis.call('PEXPIRE', KEYS[1], LOG_TTL) end
  end
end

local day, used
if perDay > 0 then
  day, used = counter(math.floor(now / DAY))
  local rest = (day + 1) * DAY - now
  if used >= perDay and rest >= wait then answer, wait = 3, rest end
end
if answer ~= 1 then return {answer, wait} end

-- Requests of the same microsecond need a name each, or they count as one.
local twins = redis.call('ZCOUNT', KEYS[1], text(now), text(now))
redis.call('ZADD', KEYS[1], text(now), text(now) .. '-' .. text(twins))
redis.call('PEXPIRE', KEYS[1], LOG_TTL)
if perDay > 0 then store(now, day, used + 1) end
return {1, 0}
`)

// seedScript: ARGV is how many requests are known of, the day (of the caller) that they are of, the time.
var seedScript = redis.NewScript(prelude + `
local known, of, now = tonumber(ARGV[1]), tonumber(ARGV[2]), clock(ARGV[3])
local day, used = counter(math.floor(now / DAY))
if of >= day and known > used then store(now, day, known) end
return 1
`)

// giveBackScript: ARGV is the day (of the caller) that the request was counted in, the time.
var giveBackScript = redis.NewScript(prelude + `
local of, now = tonumber(ARGV[1]), clock(ARGV[2])
local day, used = counter(math.floor(now / DAY))
if of >= day and used > 0 then store(now, day, used - 1) end
return 1
`)

// addScript: ARGV is how many more there are, the time. It answers how many that makes today, and the rest of the day.
var addScript = redis.NewScript(prelude + `
local more, now = tonumber(ARGV[1]), clock(ARGV[2])
local day, used = counter(math.floor(now / DAY))
if more > 0 then
  used = used + more
  store(now, day, used)
end
return {used, (day + 1) * DAY - now}
`)
