with users as (
    select * from {{ ref('stg_ion__users') }}
)

select
    user_id,
    user_name,
    email,
    is_deactivated,
    is_admin,
    is_bot,
    created_at,
    updated_at
from users
order by user_id
