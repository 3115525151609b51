with loads as (
    select * from {{ ref('stg_ion__loads') }}
),

final as (
    select min(valid_from) as valid_from
    from loads
)

select * from final
