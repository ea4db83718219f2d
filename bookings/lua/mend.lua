-- Make the counter anew, if it still is what the one who looked has seen.
-- KEYS: slots, epoch, generation, counted    ARGV: event, version, seats left, seen or '', seconds kept,
--       refuses_until (ms), largest party, highest seat
if ARGV[4] ~= (redis.call('GET', KEYS[1]) or '') then
    return 0
end
local time = redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[3], 'EX', ARGV[5])
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'version', ARGV[2], 'generation', redis.call('GET', KEYS[3]) or '0',
           'stamp', time[1] .. '.' .. time[2], 'refuses_until', ARGV[6], 'largest', ARGV[7], 'highest', ARGV[8])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('SADD', KEYS[4], ARGV[1])
return 1
