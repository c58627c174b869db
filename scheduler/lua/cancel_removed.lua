-- Record tasks whose list a person deleted as cancelled, a portion at a time.
-- KEYS[1] prefix
-- ARGV[1] token of the active scheduler
-- ARGV[2] limit
-- Returns how many were recorded; 0 when nothing is left

if not leads(ARGV[1]) then return 0 end
settle_removed('')
local name, from = string.match(redis.call('LINDEX', P .. 'tk:removed', 0) or '', '^(%S+) (.*)$')
if not name then return 0 end
local entries = redis.call('HRANDFIELD', P .. name, ARGV[2], 'WITHVALUES')
for i = 1, #entries, 2 do
  redis.call('HDEL', P .. name, entries[i])
  local state = redis.call('HGET', task_key(entries[i]), 'state')
  if not state or state == 'pending' then
    end_task(facts_of_entry(entries[i], entries[i + 1]), 'cancelled', 'removed from ' .. from, {})
  end
end
if redis.call('EXISTS', P .. name) == 0 then redis.call('LPOP', P .. 'tk:removed') end
return #entries / 2
