-- Take what is not a task out of a list and keep it, with the reason, as a dead letter.
-- KEYS[1] prefix
-- ARGV[1] node, '' for the pending queue
-- ARGV[2] index in the list
-- ARGV[3] raw, as it is there
-- ARGV[4] task_id, '' for a made-up one
-- ARGV[5] reason
-- ARGV[6] kept, as much of it as is worth keeping
-- ARGV[7] ends, 1 when this is the end of that task, 0 for a copy of one that continues
-- Returns 1, or 0 when another is there now

local list = list_key(ARGV[1])
if call('LINDEX', list, ARGV[2]) ~= ARGV[3] then return 0 end
-- A list has no removal by index: the element becomes one of a kind first.
local marker = 'buried ' .. call('HINCRBY', CONFIG, 'buried', 1)
call('LSET', list, ARGV[2], marker)
call('LREM', list, 1, marker)
local id = ARGV[4] ~= '' and ARGV[4] or 'unnamed-' .. string.match(marker, '%d+')
add_dead_letter(id, ARGV[5], ARGV[6])
if ARGV[7] == '1' then
  local entry = call('HGET', index_key(ARGV[1]), id)
  -- Nothing that an invalid task says of itself is used.
  local facts = entry and facts_of_entry(id, entry) or { id = id }
  call('HDEL', index_key(ARGV[1]), id)
  end_task(facts, 'dead', ARGV[5], {})
else
  wake_scheduler()
end
return 1
