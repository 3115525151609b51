with members as (
    select * from {{ ref('stg_ion__team_users') }}
),

teams as (
    select * from {{ ref('stg_ion__teams') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
)

select
    members.team_id,
    members.user_id,
    teams.team_name,
    users.user_name,
    coalesce(teams.supervisor_id = members.user_id, false) as is_supervisor,
    users.is_deactivated
from members
left join teams on members.team_id = teams.team_id
left join users on members.user_id = users.user_id
order by members.team_id, members.user_id
