-- Corrects what was entered. ARGV: now (0: the server's), rate, receipt, to give back, to take. Returns the receipt of what it took.
local now, rate = clock(tonumber(ARGV[1])), rate_at(2)
local form = forms[rate.form]
local state = form.load(rate, KEYS[1], now)
local back, more = tonumber(ARGV[7]), tonumber(ARGV[8])
if back > 0 then form.give_back(rate, state, now, tonumber(ARGV[6]), back) end
local receipt = 0
if more > 0 then receipt = form.take(rate, state, now, more) end
form.save(rate, state, KEYS[1], now)
return receipt
