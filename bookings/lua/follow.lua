-- Follow a transaction that has been committed; where there is no counter, begin one with what it left behind.
-- A counter made from a later state of the event's row than the transaction found has it included already.
-- KEYS: slots, epoch, under_way, generation, counted, run, doubted
-- ARGV: event, the version that the transaction found, the one it left behind at least, change in seats left,
--       seats left, seconds kept, seconds of doubt where the server does not remember or 0, refuses_until (ms),
--       largest party, highest seat
local found, stands, change = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local version, followed, generation, refuses_from, of_run =
    unpack(redis.call('HMGET', KEYS[2], 'version', 'followed', 'generation', 'refuses_from', 'run'))
local current, run = redis.call('GET', KEYS[4]) or '0', redis.call('GET', KEYS[6]) or ''
local is_known = version and generation == current
if is_known and redis.call('EXISTS', KEYS[1]) == 1 then
    if tonumber(version) <= found then
        redis.call('INCRBY', KEYS[1], change)
        if tonumber(followed or version) < stands then
            redis.call('HSET', KEYS[2], 'followed', stands)
        end
    end
    return
end
if is_known and stands < tonumber(followed or version) then
    return  -- the counter was forgotten, after it had followed a later transaction than this one
end
local time, doubt = redis.call('TIME'), tonumber(ARGV[7])
if of_run == run then
    doubt = math.min(doubt, math.max(math.ceil(redis.call('PTTL', KEYS[7]) / 1000), 0))
end
redis.call('SET', KEYS[1], ARGV[5], 'EX', ARGV[6])
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[2], 'version', stands, 'followed', stands, 'generation', current,
           'stamp', time[1] .. '.' .. time[2],
           'run', run, 'refuses_from', is_known and refuses_from or time[1] + doubt,
           'refuses_until', ARGV[8], 'largest', ARGV[9], 'highest', ARGV[10])
redis.call('EXPIRE', KEYS[2], 2 * ARGV[6])  -- longer than the counter, so that the next knows of this one
redis.call('SADD', KEYS[5], ARGV[1])
