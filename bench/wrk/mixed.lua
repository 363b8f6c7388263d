-- 60 % reads, 25 % searches (three shapes), 15 % creates.  -- PREFIX IDS TEN SOME CREATE
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "common.lua")
local ids, ten, some, prefix
local bodies, n = {}, 0

function init(args)
    seed(thread_number)
    prefix = args[1]
    ids, ten, some = records(args[2]), records(args[3]), records(args[4])
    for line in io.lines(args[5]) do
        local type, body = line:match("^(%a+)\t(.*)$")
        n = n + 1
        bodies[n] = post(prefix .. type, body)
    end
end

function request()
    local r = math.random()
    if r < 0.60 then return get(prefix .. ids()) end
    if r < 0.70 then return get(prefix .. ten()) end
    if r < 0.80 then return get(prefix .. some()) end
    if r < 0.85 then return get(prefix .. "Observation?status=final&_sort=-date&_count=10") end
    return bodies[math.random(1, n)]
end
