-- Have all counters begin anew where the server is not the run of it that they were made in.
-- KEYS: run, generation    ARGV: the server's run
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[1])
    redis.call('INCR', KEYS[2])
end
