-- Asks every rule, and enters the request only where all of them agree.
-- ARGV: now (0: the server's), requests wanted, for how long they may be kept; for each key its rate, cost, whether it refuses.
-- Returns: requests granted, for how long, and for each key wait, left, full in, receipt.
local now, wanted, hold = clock(tonumber(ARGV[1])), tonumber(ARGV[2]), tonumber(ARGV[3])
local steps, granted = {}, wanted

for i, key in ipairs(KEYS) do
  local at = 4 + (i - 1) * 6
  local rate = rate_at(at)
  local step = { rate = rate, form = forms[rate.form], cost = tonumber(ARGV[at + 4]), refuses = ARGV[at + 5] == '1' }
  step.state = step.form.load(rate, key, now)
  step.wait = step.form.wait(rate, step.state, now, step.cost)
  step.able = step.wait > 0 and 0 or wanted
  if step.able > 1 and step.cost > 0 then
    step.able = math.min(wanted, math.floor(step.form.room(rate, step.state, now) / step.cost))
  end
  if step.refuses then granted = math.min(granted, step.able) end
  if rate.form == 'c' then hold = math.min(hold, step.state.til - now) end
  steps[i] = step
end

local answer = { granted, hold }
for i, step in ipairs(steps) do
  local receipt, times = 0, math.min(granted, step.able)
  if times > 0 then
    receipt = step.form.take(step.rate, step.state, now + hold, step.cost * times)
    step.form.save(step.rate, step.state, KEYS[i], now)
  end
  local left, full_in = step.form.room(step.rate, step.state, now)
  for _, number in ipairs({ step.wait, left, full_in, receipt }) do answer[#answer + 1] = number end
end
return answer
