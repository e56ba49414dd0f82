-- The algorithms of ../algorithm, in microseconds of the server's clock. They stay below 2^53, where Lua's numbers are exact.
-- A rate is {form, count, period, burst}; each state is loaded, asked, changed and saved.

local function clock(given)
  if given > 0 then return given end
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function text(number)
  return string.format('%.0f', number)
end

-- In milliseconds. A time that was given, as by tests, is not the one that keys expire by: then they stay for an hour, lest it
-- matter how fast the server is asked.
local function lifetime(now, til)
  if tonumber(ARGV[1]) > 0 then return 3600000 end
  return math.ceil((til - now) / 1000)
end

local function keep(key, value, now, til)
  if til > now then
    redis.call('SET', key, value, 'PX', text(lifetime(now, til)))
  else
    redis.call('DEL', key)
  end
end

local forms = {}

-- Entries of until and count, flat, by until. `total` is their sum. What costs nothing makes none, and one of which all
-- was given back goes.
forms.s = {
  part = function(rate)
    return rate.count <= 64 and 0 or math.floor(rate.period / 64)
  end,
  load = function(rate, key, now)
    local state = { total = 0 }
    local kept = redis.call('GET', key)
    if not kept then return state end
    -- A lease is entered a 64th ahead at most.
    local horizon = now + rate.period + math.floor(rate.period / 64)
    local entries = cmsgpack.unpack(kept)
    for i = 1, #entries, 2 do
      if entries[i] > now then
        state[#state + 1] = math.min(entries[i], horizon)
        state[#state + 1] = entries[i + 1]
        state.total = state.total + entries[i + 1]
      end
    end
    return state
  end,
  wait = function(rate, state, now, cost)
    local more = state.total + cost - rate.count
    if more <= 0 then return 0 end
    if cost > rate.count then return rate.period end
    for i = 1, #state, 2 do
      more = more - state[i + 1]
      if more <= 0 then return state[i] - now end
    end
    return rate.period
  end,
  take = function(rate, state, at, cost)
    if cost == 0 then return 0 end
    local til = at + rate.period
    -- What was last used in the same sub-window takes this in.
    local part, same_from = forms.s.part(rate), til
    if part > 0 then same_from = til - at % part end
    state.total = state.total + cost
    local last = #state - 1
    if last > 0 and state[last] >= same_from then
      state[last] = math.max(state[last], til)
      state[last + 1] = state[last + 1] + cost
      return state[last]
    end
    if #state >= 136 then -- the two oldest become one
      state[4] = state[4] + state[2]
      table.remove(state, 1)
      table.remove(state, 1)
    end
    state[#state + 1] = til
    state[#state + 1] = cost
    return til
  end,
  is_of = function(rate, til, receipt)
    local part, used, entered = forms.s.part(rate), til - rate.period, receipt - rate.period
    if part == 0 then return used == entered end
    return used >= entered and math.floor(used / part) == math.floor(entered / part)
  end,
  give_back = function(rate, state, now, receipt, cost)
    for i = 1, #state, 2 do
      if forms.s.is_of(rate, state[i], receipt) then
        local back = math.min(cost, state[i + 1])
        state[i + 1] = state[i + 1] - back
        state.total = state.total - back
        if state[i + 1] == 0 then
          table.remove(state, i)
          table.remove(state, i)
        end
        return
      end
    end
  end,
  room = function(rate, state, now)
    local til = #state > 0 and state[#state - 1] or now
    return math.max(rate.count - state.total, 0), til - now
  end,
  save = function(rate, state, key, now)
    local entries, til = {}, now
    for i = 1, #state do entries[i] = state[i] end
    if #state > 0 then til = state[#state - 1] end
    keep(key, cmsgpack.pack(entries), now, til)
  end,
}

-- GCRA: when the bucket is full again.
forms.p = {
  interval = function(rate)
    return math.ceil(rate.period / rate.count)
  end,
  furthest = function(rate, now)
    local interval = forms.p.interval(rate)
    return now + interval * rate.burst + math.max(rate.period - interval, 0)
  end,
  load = function(rate, key, now)
    local full = tonumber(redis.call('GET', key) or now)
    return { full = math.max(math.min(full, forms.p.furthest(rate, now)), now) }
  end,
  wait = function(rate, state, now, cost)
    if cost > rate.burst then return rate.period end
    local interval = forms.p.interval(rate)
    return math.max(state.full + interval * cost - now - interval * rate.burst, 0)
  end,
  take = function(rate, state, at, cost)
    local length = forms.p.interval(rate) * cost
    local furthest = math.max(forms.p.furthest(rate, at), state.full)
    state.full = math.min(state.full + length, furthest)
    return math.max(state.full - length, 0)
  end,
  give_back = function(rate, state, now, receipt, cost)
    local til = receipt + forms.p.interval(rate) * cost
    state.full = state.full - math.max(til - math.max(receipt, now), 0)
  end,
  room = function(rate, state, now)
    local interval = forms.p.interval(rate)
    local left = math.floor((interval * rate.burst - (state.full - now)) / interval)
    return math.max(left, 0), state.full - now
  end,
  save = function(rate, state, key, now)
    keep(key, text(state.full), now, state.full)
  end,
}

-- The end of the window, and what was counted in it. Weeks begin on Monday, three days before the epoch.
forms.c = {
  load = function(rate, key, now)
    local offset = rate.period > 86400000000 and 259200000000 or 0
    local state = { count = 0 }
    state.til = (math.floor((now + offset) / rate.period) + 1) * rate.period - offset
    local til, count = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
    if til and tonumber(til) > now then state.count = tonumber(count) end
    return state
  end,
  wait = function(rate, state, now, cost)
    if state.count + cost <= rate.count then return 0 end
    if cost > rate.count then return rate.period end
    return state.til - now
  end,
  take = function(rate, state, at, cost)
    state.count = state.count + cost
    return state.til
  end,
  give_back = function(rate, state, now, receipt, cost)
    if state.til == receipt then state.count = math.max(state.count - cost, 0) end
  end,
  room = function(rate, state, now)
    local full_in = state.count == 0 and 0 or state.til - now
    return math.max(rate.count - state.count, 0), full_in
  end,
  save = function(rate, state, key, now)
    keep(key, text(state.til) .. ' ' .. text(state.count), now, state.count > 0 and state.til or now)
  end,
}

local function rate_at(i)
  return { form = ARGV[i], count = tonumber(ARGV[i + 1]), period = ARGV[i + 2] * 1000000, burst = tonumber(ARGV[i + 3]) }
end
