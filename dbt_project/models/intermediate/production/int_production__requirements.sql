{{ config(materialized='table') }}

with requirements as (
    select * from {{ ref('int_conformance__requirements') }}
),

quantities as (
    select
        2 as abom_generation,
        build_requirement_id,
        part_id,
        quantity_per_parent,
        quantity_fixed
    from {{ ref('stg_ion__build_requirements') }}
    union all
    select
        1 as abom_generation,
        abom_item_id as build_requirement_id,
        part_id,
        quantity_per_parent,
        quantity_fixed
    from {{ ref('stg_ion__abom_items') }}
),

-- Installations without a unit fill a requirement, although they are in no tree.
installations as (
    select
        2 as abom_generation,
        build_requirement_id,
        quantity
    from {{ ref('stg_ion__abom_installations') }}
    union all
    select
        1 as abom_generation,
        abom_item_id as build_requirement_id,
        quantity
    from {{ ref('stg_ion__abom_items') }}
    where part_inventory_id is not null
),

-- A sum with an unknown quantity in it is unknown, and at least as much as is known.
installed as (
    select
        abom_generation,
        build_requirement_id,
        case when count(*) = count(quantity) then sum(quantity) end as quantity_installed,
        coalesce(sum(quantity), 0) as quantity_known
    from installations
    group by abom_generation, build_requirement_id
),

compared as (
    select
        requirements.abom_generation,
        requirements.part_inventory_id,
        requirements.build_requirement_id,
        quantities.part_id,
        case
            when requirements.is_fixed then quantities.quantity_fixed
            else quantities.quantity_per_parent * requirements.pieces_sharing
        end as quantity_required,
        case when installed.build_requirement_id is null then 0 else installed.quantity_installed end
            as quantity_installed,
        coalesce(installed.quantity_known, 0) as quantity_known
    from requirements
    inner join quantities
        on
            requirements.abom_generation = quantities.abom_generation
            and requirements.build_requirement_id = quantities.build_requirement_id
    left join installed
        on
            requirements.abom_generation = installed.abom_generation
            and requirements.build_requirement_id = installed.build_requirement_id
)

-- Floating-point sums are equal if they agree to nine digits.
select
    *,
    case
        when quantity_known >= quantity_required - 1e-9 * abs(quantity_required) then true
        when quantity_installed is not null and quantity_required is not null then false
    end as is_filled
from compared
-- A requirement of quantity 0 only allows traceability: nothing has to be installed.
where quantity_required is distinct from 0
