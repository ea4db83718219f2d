-- Follow a transaction that has been committed in the mirror of an event's line.
-- A mirror made from a later state of the event's row than the transaction found has it included already. Who finds
-- no mirror leaves that state behind: whoever came before them, and follows only now, would begin one without them.
-- KEYS: line, epoch, generation, maker, noted
-- ARGV: the version that the transaction found, 1 if nobody had ever stood in line, seconds kept, then booking and
--       number of each party that changed; an empty number has left
local version, generation = unpack(redis.call('HMGET', KEYS[2], 'version', 'generation'))
local current = redis.call('GET', KEYS[3]) or '0'
local is_included = version and tonumber(version) > tonumber(ARGV[1])
local function parties(follow)
    for at = 4, #ARGV, 2 do
        follow(ARGV[at], ARGV[at + 1])
    end
end
if redis.call('EXISTS', KEYS[4]) == 1 then -- it is being made anew from rows, perhaps of before
    parties(function(booking, number)
        redis.call('RPUSH', KEYS[5], ARGV[1], booking, number)
    end)
    redis.call('EXPIRE', KEYS[5], redis.call('TTL', KEYS[4]) + 1)
end
if is_included then
    return
end
if not version or generation ~= current then
    if ARGV[2] ~= '1' then
        redis.call('HSET', KEYS[2], 'version', ARGV[1] + 1, 'generation', '')
        redis.call('EXPIRE', KEYS[2], ARGV[3])
        return
    end
    redis.call('DEL', KEYS[1], KEYS[2])
    redis.call('HSET', KEYS[2], 'version', ARGV[1] + 1, 'generation', current)
end
parties(function(booking, number)
    if number == '' then
        redis.call('ZREM', KEYS[1], booking)
    else
        redis.call('ZADD', KEYS[1], number, booking)
    end
end)
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
