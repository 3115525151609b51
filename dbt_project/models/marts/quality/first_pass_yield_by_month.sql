{{ first_pass_yield_of('month') }}
