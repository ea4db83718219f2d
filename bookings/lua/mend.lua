-- Make the counter anew, if it still is what the one who looked has seen.
-- KEYS: slots, epoch, under_way, generation, counted, run, doubted
-- ARGV: event, version, seats left, seen or '', seconds kept, seconds of doubt where the server does not remember
--       or 0, refuses_until (ms), largest party, highest seat
if ARGV[4] ~= (redis.call('GET', KEYS[1]) or '') then
    return 0
end
local time, current = redis.call('TIME'), redis.call('GET', KEYS[4]) or '0'
local run = redis.call('GET', KEYS[6]) or ''
local generation, refuses_from, of_run = unpack(redis.call('HMGET', KEYS[2], 'generation', 'refuses_from', 'run'))
if generation ~= current or not refuses_from then
    local doubt = tonumber(ARGV[6])
    if of_run == run then
        doubt = math.min(doubt, math.max(math.ceil(redis.call('PTTL', KEYS[7]) / 1000), 0))
    end
    refuses_from = time[1] + doubt
end
redis.call('SET', KEYS[1], ARGV[3], 'EX', ARGV[5])
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[2], 'version', ARGV[2], 'followed', ARGV[2], 'generation', current,
           'stamp', time[1] .. '.' .. time[2], 'run', run, 'refuses_from', refuses_from,
           'refuses_until', ARGV[7], 'largest', ARGV[8], 'highest', ARGV[9])
redis.call('EXPIRE', KEYS[2], 2 * ARGV[5])
redis.call('SADD', KEYS[5], ARGV[1])
return 1
