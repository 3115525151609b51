with teams as (
    select * from {{ ref('stg_ion__teams') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

members as (
    select
        members.team_id,
        count(*) as member_count,
        count(*) filter (where users.is_deactivated) as deactivated_member_count
    from {{ ref('stg_ion__team_users') }} as members
    left join users on members.user_id = users.user_id
    group by members.team_id
)

select
    teams.team_id,
    teams.team_name,
    teams.supervisor_id,
    users.user_name as supervisor,
    coalesce(members.member_count, 0) as member_count,
    coalesce(members.deactivated_member_count, 0) as deactivated_member_count,
    teams.created_at,
    teams.updated_at
from teams
left join users on teams.supervisor_id = users.user_id
left join members on teams.team_id = members.team_id
order by teams.team_id
