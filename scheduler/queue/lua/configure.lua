-- The active scheduler tells all roles the names and limits that it was started with.
-- KEYS[1] prefix
-- ARGV[1] pending, name of the pending queue without the prefix
-- ARGV[2] max_attempts
-- ARGV[3] on_lost, 'keep' or 'pending'
-- Returns 1

call('HSET', CONFIG, 'pending', ARGV[1], 'max_attempts', ARGV[2], 'on_lost', ARGV[3])
return 1
