-- Become or stay the active scheduler.
-- KEYS[1] prefix
-- ARGV[1] id of this scheduler
-- ARGV[2] token that it holds, '' for none
-- ARGV[3] lease_ms
-- ARGV[4] known_life, id of the data's life as this scheduler knows it, '' for none
-- ARGV[5] known_beat
-- ARGV[6] fresh_life, an id for a new one
-- Returns {token, is_active, life, beat}: its own token and 1 when it is active, else the token of the one
--   that is, and 0; another life than the known one means that data were lost

local key = P .. 'tk:leader'
local holder = call('GET', key)
local life, beat = witness(ARGV[4], ARGV[5], ARGV[6])
if holder and holder ~= ARGV[2] then return { holder, 0, life, beat } end
local token = holder
-- The epoch begins with 1 again where data were lost; a token must not.
if not token then
  token = ARGV[1] .. '#' .. call('INCR', P .. 'tk:epoch') .. '-' .. string.sub(ARGV[6], 1, 8)
end
call('SET', key, token, 'PX', ARGV[3])
return { token, 1, life, call('HINCRBY', LIFE, 'beat', 1) }
