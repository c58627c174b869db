-- The active scheduler steps down, so that one that stands by need not wait for its lease.
-- KEYS[1] prefix
-- ARGV[1] its token
-- Returns 1 when it was active

if not leads(ARGV[1]) then return 0 end
call('DEL', P .. 'tk:leader')
wake_scheduler()
return 1
