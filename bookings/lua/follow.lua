-- Follow a transaction that has been committed; where there is no counter, begin one with what it left behind.
-- A counter made from a later state of the event's row than the transaction found has it included already.
-- KEYS: slots, epoch, generation, counted
-- ARGV: event, the version that the transaction found, change in seats left, seats left, seconds kept,
--       refuses_until (ms), largest party, highest seat
local version, generation = unpack(redis.call('HMGET', KEYS[2], 'version', 'generation'))
local current = redis.call('GET', KEYS[3]) or '0'
if not version or generation ~= current or redis.call('EXISTS', KEYS[1]) == 0 then
    local time = redis.call('TIME')
    redis.call('SET', KEYS[1], ARGV[4], 'EX', ARGV[5])
    redis.call('DEL', KEYS[2])
    redis.call('HSET', KEYS[2], 'version', ARGV[2] + 1, 'generation', current, 'stamp', time[1] .. '.' .. time[2],
               'refuses_until', ARGV[6], 'largest', ARGV[7], 'highest', ARGV[8])
    redis.call('EXPIRE', KEYS[2], ARGV[5])
    redis.call('SADD', KEYS[4], ARGV[1])
elseif tonumber(version) <= tonumber(ARGV[2]) then
    redis.call('INCRBY', KEYS[1], ARGV[3])
end
