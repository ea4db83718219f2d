-- Set seats aside, if the counter has them. The counter may refuse, it never grants: PostgreSQL is asked next.
-- KEYS: slots, epoch, under_way, generation, the form's mark
-- ARGV: seats, now (ms), seconds the mark is kept or 0, highest seat named or 0,
--       1 to look only: then nothing is set aside, nor remembered,
--       seats of earlier claims that have been booked, the stamp of their counter, seconds a claim may be under way
local seats, looks_only, settled = tonumber(ARGV[1]), ARGV[5] == '1', tonumber(ARGV[6])
local left = redis.call('GET', KEYS[1])
local stamp, generation, refuses_from, refuses_until, largest, highest = unpack(redis.call(
    'HMGET', KEYS[2], 'stamp', 'generation', 'refuses_from', 'refuses_until', 'largest', 'highest'))
local under_way = tonumber(redis.call('GET', KEYS[3]) or 0)
if settled > 0 and under_way > 0 and stamp == ARGV[7] then
    settled = math.min(settled, under_way)
    under_way = redis.call('DECRBY', KEYS[3], settled)
end
if ARGV[3] ~= '0' and redis.call('EXISTS', KEYS[5]) == 1 then
    return {'seen'}
end
local function remember_the_form()
    if ARGV[3] ~= '0' and not looks_only then
        redis.call('SET', KEYS[5], '', 'EX', ARGV[3])
    end
end
if not left or not stamp or generation ~= (redis.call('GET', KEYS[4]) or '0') then
    remember_the_form()
    return {'missing'}
end
left = tonumber(left)
if left >= seats then
    if looks_only then
        return {'perhaps'}
    end
    redis.call('DECRBY', KEYS[1], seats)
    redis.call('SET', KEYS[3], under_way + seats, 'EX', ARGV[8])
    remember_the_form()
    return {'claimed', stamp}
end
if tonumber(refuses_until) <= tonumber(ARGV[2])
        or seats > tonumber(largest) or tonumber(ARGV[4]) > tonumber(highest) then
    return {'perhaps'}
end
if left + under_way >= seats or tonumber(refuses_from or 0) > tonumber(redis.call('TIME')[1]) then
    remember_the_form()  -- PostgreSQL may have something for it after all
    return {'doubtful'}
end
return {'refused', left}
