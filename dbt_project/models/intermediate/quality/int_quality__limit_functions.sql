with functions as (
    select * from {{ ref('stg_ion__validation_functions') }}
),

-- Matched by the name of the function or, if that is not listed, by its display name.
limit_functions as (
    select
        {{ limit_function_key('function_name') }} as function_key,
        limit_kind,
        is_inclusive
    from {{ ref('limit_functions') }}
)

select
    functions.validation_function_id,
    coalesce(functions.function_name, functions.display_name) as function_name,
    coalesce(by_name.limit_kind, by_display_name.limit_kind, 'unmapped') as limit_kind,
    coalesce(by_name.is_inclusive, by_display_name.is_inclusive) as is_inclusive
from functions
left join limit_functions as by_name on {{ limit_function_key('functions.function_name') }} = by_name.function_key
left join limit_functions as by_display_name
    on {{ limit_function_key('functions.display_name') }} = by_display_name.function_key
