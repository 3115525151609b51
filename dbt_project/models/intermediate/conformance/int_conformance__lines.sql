{{ config(materialized='table') }}

with planned as (
    select * from {{ ref('int_conformance__planned_lines') }}
),

installed as (
    select
        part_inventory_id,
        mbom_item_id,
        -- A sum with an unknown quantity in it is unknown.
        case when count(*) = count(quantity_installed) then sum(quantity_installed) end as quantity_installed,
        {% for relation in ['substitute', 'revision', 'wrong'] %}
            sum(case when relation = '{{ relation }}' then quantity_installed else 0 end) as quantity_{{ relation }},
            bool_or(relation = '{{ relation }}' and coalesce(quantity_installed, 1) > 0) as has_{{ relation }},
        {% endfor %}
        bool_or({{ designator_key('reference_designator') }} is null) as has_unnamed,
        {{ list_of('distinct child_part_number', 'child_part_number') }} as installed_part_numbers
    from {{ ref('int_conformance__installed') }}
    where mbom_item_id is not null
    group by part_inventory_id, mbom_item_id
),

-- Planned and installed places are compared as sets, since one designator may name several places.
planned_places as (
    select
        mbom_item_id,
        {{ places_of('reference_designator') }} as reference_designators
    from {{ ref('stg_ion__mbom_item_reference_designators') }}
    where reference_designator is not null
    group by mbom_item_id
),

installed_places as (
    select
        part_inventory_id,
        mbom_item_id,
        {{ places_of('reference_designator') }} as reference_designators
    from {{ ref('int_conformance__installed') }}
    where mbom_item_id is not null and reference_designator is not null
    group by part_inventory_id, mbom_item_id
),

compared as (
    select
        planned.*,
        case when installed.mbom_item_id is null then 0 else installed.quantity_installed end as quantity_installed,
        coalesce(installed.quantity_substitute, 0) as quantity_substitute,
        coalesce(installed.quantity_revision, 0) as quantity_other_revision,
        coalesce(installed.quantity_wrong, 0) as quantity_wrong_part,
        coalesce(installed.has_substitute, false) as has_substitute,
        coalesce(installed.has_revision, false) as has_other_revision,
        coalesce(installed.has_wrong, false) as has_wrong_part,
        coalesce(installed.installed_part_numbers, {{ empty_list() }}) as installed_part_numbers,
        coalesce(planned_places.reference_designators, {{ empty_list() }}) as designators_planned,
        coalesce(installed_places.reference_designators, {{ empty_list() }}) as designators_installed,
        installed.mbom_item_id is not null as is_filled,
        coalesce(installed.has_unnamed, false) as has_unnamed
    from planned
    left join installed
        on planned.part_inventory_id = installed.part_inventory_id and planned.mbom_item_id = installed.mbom_item_id
    left join installed_places
        on
            planned.part_inventory_id = installed_places.part_inventory_id
            and planned.mbom_item_id = installed_places.mbom_item_id
    left join planned_places on planned.mbom_item_id = planned_places.mbom_item_id
),

-- Floating-point sums are equal if they agree to nine digits.
measured as (
    select
        *,
        coalesce(abs(quantity_installed - quantity_planned) <= 1e-9 * abs(quantity_planned), false) as is_equal
    from compared
),

-- An installation may name no place in ION, and a line that is short leaves places free: neither is a mismatch.
placed as (
    select
        *,
        case
            when quantity_per_piece = 0 or not is_filled then null
            when not {{ list_has_all('designators_planned', 'designators_installed') }} then 'mismatch'
            when {{ list_has_all('designators_installed', 'designators_planned') }} then 'match'
            when has_unnamed then 'not_recorded'
            when is_equal or quantity_installed > quantity_planned then 'mismatch'
            else 'match'
        end as designator_match
    from measured
)

select
    *,
    case when is_equal then 0 else quantity_installed - quantity_planned end as quantity_difference,
    case
        when quantity_per_piece = 0 then 'conforming'
        when quantity_installed = 0 and not is_equal then 'missing'
        when has_wrong_part then 'wrong_part'
        when not is_equal and quantity_installed > quantity_planned then 'over'
        when not is_equal then 'short'
        -- The status covers the parts first; designator_match reports the places independently of the status.
        when has_substitute then 'conforming_substitute'
        when has_other_revision then 'conforming_revision'
        when designator_match = 'mismatch' then 'designator_mismatch'
        else 'conforming'
    end as status
from placed
