-- Forget results that are on the disk.
-- KEYS[1] prefix
-- ARGV[1] token of the active scheduler
-- ARGV[2] count
-- Returns 1, or 0 when it is not active any more: then another one keeps them

if not leads(ARGV[1]) then return 0 end
redis.call('LTRIM', RESULTS, ARGV[2], -1)
return 1
