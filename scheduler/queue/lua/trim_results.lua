-- Forget results that are on the disk. Safe to repeat: what was forgotten before is not counted again.
-- KEYS[1] prefix
-- ARGV[1] token of the active scheduler
-- ARGV[2] count
-- ARGV[3] last, the newest of these results as it is in the list
-- Returns 1, or 0 when it is not active any more: then another one keeps them

if not leads(ARGV[1]) then return 0 end
local count = tonumber(ARGV[2])
if call('LINDEX', RESULTS, count - 1) == ARGV[3] then
  call('LTRIM', RESULTS, count, -1)
end
return 1
