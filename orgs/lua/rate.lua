-- Generic cell rate algorithm: each key holds the moment (ms) until which its rate is used up. All keys are charged,
-- or none. Answers 0, or how long (ms) to wait.
-- KEYS: who is limited    ARGV: for each key the ms that one request costs, and how many ms may be used ahead
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_ = {}
for at, key in ipairs(KEYS) do
    local cost, ahead = tonumber(ARGV[2 * at - 1]), tonumber(ARGV[2 * at])
    until_[at] = math.max(tonumber(redis.call('GET', key) or 0), now) + cost
    if until_[at] - now > ahead then
        return math.ceil(until_[at] - now - ahead)
    end
end
for at, key in ipairs(KEYS) do
    redis.call('SET', key, until_[at], 'PX', math.max(1, math.ceil(until_[at] - now)))
end
return 0
