{#- The rules of control charts by name (seed chart_rules), in the order in which a point lists those it breaks. -#}
{% macro chart_rule_names() %}
    {{ return([
        'western_electric_1', 'western_electric_2', 'western_electric_3', 'western_electric_4',
        'nelson_1', 'nelson_2', 'nelson_3', 'nelson_4', 'nelson_5', 'nelson_6', 'nelson_7', 'nelson_8',
    ]) }}
{% endmacro %}

{#-
    The list of the rules a point breaks and the organisation goes by. `breaks` maps names of rules to conditions;
    `rules_on` is a table of one row with a column per rule. Most points break none, and cost nothing.
-#}
{% macro rules_broken(breaks, rules_on) -%}
    {%- set names = [] -%}
    {%- for rule, condition in breaks.items() -%}
        {%- do names.append("case when " ~ condition ~ " and " ~ rules_on ~ "." ~ rule ~ " then '" ~ rule ~ "' end") -%}
    {%- endfor -%}
    case
        when {% for condition in breaks.values() %}{{ condition }}{{ ' or ' if not loop.last }}{% endfor %}
            then {{ list_without_nulls(names) }}
        else {{ empty_list() }}
    end
{%- endmacro %}

{#- The table of one row with a column per rule: whether the organisation goes by it. -#}
{% macro chart_rules_on() -%}
    select
        {% for rule in chart_rule_names() %}
            coalesce(max(case when rule_name = '{{ rule }}' and is_on then 1 end), 0) = 1 as {{ rule }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('chart_rules') }}
{%- endmacro %}

{#-
    The distance of a point from the centre in sigmas, to nine places. Where the baseline does not vary sigma is 0: a
    point on the centre is 0 of them away from it, any other one has no such number.
-#}
{% macro sigmas_from_centre(from_centre, sigma) -%}
    case
        when {{ sigma }} > 0 then round({{ from_centre }} / {{ sigma }}, 9)
        when {{ sigma }} = 0 and {{ from_centre }} = 0 then 0
    end
{%- endmacro %}

{#- Where a point lies: C within one sigma of the centre, B within two, A within three, else beyond. -#}
{% macro chart_zone(point) -%}
    case
        when {{ point }}.is_beyond then 'beyond'
        when abs({{ point }}.sigmas_from_centre) <= 1 then 'C'
        when abs({{ point }}.sigmas_from_centre) <= 2 then 'B'
        when abs({{ point }}.sigmas_from_centre) <= 3 then 'A'
    end
{%- endmacro %}

{#- Three sigma below the centre; only what is measured can be below 0. -#}
{% macro lower_control_limit(point) -%}
    case
        when {{ point }}.chart_type = 'individuals' or {{ point }}.centre > 3 * {{ point }}.sigma
            then {{ point }}.centre - 3 * {{ point }}.sigma
        when {{ point }}.sigma is not null then 0
    end
{%- endmacro %}

{#- Three sigma above the centre; of a day's run steps no more than all can fail. -#}
{% macro upper_control_limit(point) -%}
    case
        when {{ point }}.chart_type = 'p' then least({{ point }}.centre + 3 * {{ point }}.sigma, 1)
        else {{ point }}.centre + 3 * {{ point }}.sigma
    end
{%- endmacro %}

{#- Whether a point is beyond three sigma; where sigma is 0, whether it is off the centre. -#}
{% macro is_beyond_limits(from_centre, sigma) -%}
    coalesce(
        case
            when {{ sigma }} > 0 then abs(round({{ from_centre }} / {{ sigma }}, 9)) > 3
            when {{ sigma }} = 0 then {{ from_centre }} <> 0
        end,
        false
    )
{%- endmacro %}
