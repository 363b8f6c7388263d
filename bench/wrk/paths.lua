-- GET of paths drawn uniformly from a file of fixed-width records.  -- PREFIX FILE SUFFIX
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "common.lua")
local next_record, prefix, suffix

function init(args)
    seed(thread_number)
    prefix, suffix = args[1], args[3] or ""
    next_record = records(args[2])
end

function request()
    return get(prefix .. next_record() .. suffix)
end
