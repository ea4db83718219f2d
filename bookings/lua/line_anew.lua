-- Put a mirror that was made from the rows in the place of the old one, with whatever was followed meanwhile; nothing
-- happens where somebody else makes one by now.
-- KEYS: line, epoch, generation, maker, noted, fresh    ARGV: who makes it, version of the rows, seconds kept
-- Returns what the old one said, if it held and was another: parties, first number, last number
if redis.call('GET', KEYS[4]) ~= ARGV[1] then
    redis.call('UNLINK', KEYS[6])
    return nil
end
local noted = redis.call('LRANGE', KEYS[5], 0, -1)
for at = 1, #noted, 3 do
    if tonumber(noted[at]) >= tonumber(ARGV[2]) then
        if noted[at + 2] == '' then
            redis.call('ZREM', KEYS[6], noted[at + 1])
        else
            redis.call('ZADD', KEYS[6], noted[at + 2], noted[at + 1])
        end
    end
end
local function says(line)
    local first = redis.call('ZRANGE', line, 0, 0, 'WITHSCORES')[2] or ''
    local last = redis.call('ZRANGE', line, -1, -1, 'WITHSCORES')[2] or ''
    return {redis.call('ZCARD', line), first, last}
end
local current = redis.call('GET', KEYS[3]) or '0'
local was_believed = redis.call('HGET', KEYS[2], 'generation') == current
local was, is = says(KEYS[1]), says(KEYS[6])
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[4], KEYS[5])
if is[1] > 0 then
    redis.call('RENAME', KEYS[6], KEYS[1])
    redis.call('EXPIRE', KEYS[1], ARGV[3])
end
redis.call('HSET', KEYS[2], 'version', ARGV[2], 'generation', current)
redis.call('EXPIRE', KEYS[2], ARGV[3])
if was_believed and (was[1] ~= is[1] or was[2] ~= is[2] or was[3] ~= is[3]) then
    return was
end
return nil
