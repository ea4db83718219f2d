-- Set seats aside, if the counter has them. The counter may refuse, it never grants: PostgreSQL is asked next.
-- KEYS: slots, epoch, generation, the form's mark    ARGV: seats, now (ms), seconds the mark is kept or 0, highest seat named or 0,
-- 1 to look only: then nothing is set aside, nor remembered
local looks_only = ARGV[5] == '1'
if ARGV[3] ~= '0' and redis.call('EXISTS', KEYS[4]) == 1 then
    return {'seen'}
end
local function remember_the_form()
    if ARGV[3] ~= '0' and not looks_only then
        redis.call('SET', KEYS[4], '', 'EX', ARGV[3])
    end
end
local left = redis.call('GET', KEYS[1])
local stamp, generation, refuses_until, largest, highest =
    unpack(redis.call('HMGET', KEYS[2], 'stamp', 'generation', 'refuses_until', 'largest', 'highest'))
if not left or not stamp or generation ~= (redis.call('GET', KEYS[3]) or '0') then
    remember_the_form()
    return {'missing'}
end
left = tonumber(left)
if left < tonumber(ARGV[1]) then
    local is_final = tonumber(refuses_until) > tonumber(ARGV[2])
        and tonumber(ARGV[1]) <= tonumber(largest) and tonumber(ARGV[4]) <= tonumber(highest)
    return {'refused', left, is_final and 1 or 0}
end
if looks_only then
    return {'perhaps'}
end
redis.call('DECRBY', KEYS[1], ARGV[1])
remember_the_form()
return {'claimed', stamp}
