-- Become or stay the active scheduler.
-- KEYS[1] prefix
-- ARGV[1] id of this scheduler
-- ARGV[2] token that it holds, '' for none
-- ARGV[3] lease_ms
-- Returns {token, 1} when it is active, else {token of the one that is, 0}

local key = P .. 'tk:leader'
local holder = redis.call('GET', key)
if holder and holder ~= ARGV[2] then return { holder, 0 } end
local token = holder
if not token then token = ARGV[1] .. '#' .. redis.call('INCR', P .. 'tk:epoch') end
redis.call('SET', key, token, 'PX', ARGV[3])
return { token, 1 }
