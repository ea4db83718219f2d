-- Return what a claim set aside, unless the counter was made anew since: then it never knew of it.
-- KEYS: slots, epoch, under_way, the form's mark    ARGV: seats, stamp of the claim, 1 to forget the form too
if ARGV[3] == '1' then
    redis.call('DEL', KEYS[4])
end
if redis.call('HGET', KEYS[2], 'stamp') == ARGV[2] and redis.call('EXISTS', KEYS[1]) == 1 then
    redis.call('INCRBY', KEYS[1], ARGV[1])
    if tonumber(redis.call('GET', KEYS[3]) or 0) >= tonumber(ARGV[1]) then
        redis.call('DECRBY', KEYS[3], ARGV[1])
    end
end
