-- Follow a transaction that has been committed in the mirror of an event's line.
-- A mirror made from a later state of the event's row than the transaction found has it included already.
-- KEYS: line, epoch, generation
-- ARGV: the version that the transaction found, 1 if nobody had ever stood in line, seconds kept, then booking and
--       number of each party that changed; an empty number has left
local version, generation = unpack(redis.call('HMGET', KEYS[2], 'version', 'generation'))
local current = redis.call('GET', KEYS[3]) or '0'
if not version or generation ~= current then
    if ARGV[2] ~= '1' then
        return
    end
    redis.call('DEL', KEYS[1], KEYS[2])
    redis.call('HSET', KEYS[2], 'version', ARGV[1] + 1, 'generation', current)
elseif tonumber(version) > tonumber(ARGV[1]) then
    return
end
for at = 4, #ARGV, 2 do
    if ARGV[at + 1] == '' then
        redis.call('ZREM', KEYS[1], ARGV[at])
    else
        redis.call('ZADD', KEYS[1], ARGV[at + 1], ARGV[at])
    end
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
