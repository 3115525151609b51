{#- Instants and calendars. -#}

{#- The type of an instant in UTC. -#}
{% macro type_instant() %}{{ return(adapter.dispatch('type_instant')()) }}{% endmacro %}
{% macro duckdb__type_instant() %}timestamptz{% endmacro %}
{% macro spark__type_instant() %}timestamp{% endmacro %}

{#- One row per day, both ends included. Only as an item of a select list. -#}
{% macro days_between(first_day, last_day) %}{{ return(adapter.dispatch('days_between')(first_day, last_day)) }}{% endmacro %}
{% macro duckdb__days_between(first_day, last_day) -%}
    cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date)
{%- endmacro %}
{% macro spark__days_between(first_day, last_day) -%}
    explode(sequence(cast({{ first_day }} as date), cast({{ last_day }} as date), interval 1 day))
{%- endmacro %}

{% macro date_label(day, pattern) %}{{ return(adapter.dispatch('date_label')(day, pattern)) }}{% endmacro %}
{% macro duckdb__date_label(day, pattern) %}strftime({{ day }}, '{{ pattern }}'){% endmacro %}
{% macro spark__date_label(day, pattern) -%}
    date_format({{ day }}, '{{ pattern | replace('%Y', 'yyyy') | replace('%m', 'MM') | replace('%d', 'dd') | replace('%A', 'EEEE') }}')
{%- endmacro %}

{#- 1 = Monday to 7 = Sunday. -#}
{% macro iso_weekday(day) %}{{ return(adapter.dispatch('iso_weekday')(day)) }}{% endmacro %}
{% macro duckdb__iso_weekday(day) %}isodow({{ day }}){% endmacro %}
{% macro spark__iso_weekday(day) %}cast(weekday({{ day }}) + 1 as bigint){% endmacro %}

{#- The year that the ISO week belongs to. -#}
{% macro iso_year(day) %}{{ return(adapter.dispatch('iso_year')(day)) }}{% endmacro %}
{% macro duckdb__iso_year(day) %}isoyear({{ day }}){% endmacro %}
{% macro spark__iso_year(day) %}cast(extract(yearofweek from {{ day }}) as bigint){% endmacro %}

{#- The instant in an ISO 8601 text; null for any other text. -#}
{% macro instant_of_text(text) %}{{ return(adapter.dispatch('instant_of_text')(text)) }}{% endmacro %}
{% macro duckdb__instant_of_text(text) %}try_cast({{ text }} as timestamptz){% endmacro %}
{% macro spark__instant_of_text(text) -%}
    case when {{ text }} rlike '^[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}' then try_cast({{ text }} as timestamp) end
{%- endmacro %}

{#- Hours from one instant to another, to the microsecond. -#}
{% macro hours_between(since, until) %}{{ return(adapter.dispatch('hours_between')(since, until)) }}{% endmacro %}
{% macro duckdb__hours_between(since, until) -%}
    date_diff('microsecond', {{ since }}, {{ until }}) / 3600000000.0
{%- endmacro %}
{% macro spark__hours_between(since, until) -%}
    timestampdiff(microsecond, {{ since }}, {{ until }}) / 3600000000e0
{%- endmacro %}

{#- Seconds from 1970-01-01 to an instant, with a fraction. -#}
{% macro epoch_seconds(instant) %}{{ return(adapter.dispatch('epoch_seconds')(instant)) }}{% endmacro %}
{% macro duckdb__epoch_seconds(instant) %}epoch({{ instant }}){% endmacro %}
{% macro spark__epoch_seconds(instant) %}(unix_micros({{ instant }}) / 1e6){% endmacro %}

{#- The instant a number of seconds after another. -#}
{% macro seconds_after(instant, seconds) %}{{ return(adapter.dispatch('seconds_after')(instant, seconds)) }}{% endmacro %}
{% macro duckdb__seconds_after(instant, seconds) %}{{ instant }} + to_seconds({{ seconds }}){% endmacro %}
{% macro spark__seconds_after(instant, seconds) %}timestamp_micros(unix_micros({{ instant }}) + {{ seconds }} * 1000000){% endmacro %}

{#- Days from one day to another. -#}
{% macro days_from(since, until) %}{{ return(adapter.dispatch('days_from')(since, until)) }}{% endmacro %}
{% macro duckdb__days_from(since, until) %}{{ until }} - {{ since }}{% endmacro %}
{% macro spark__days_from(since, until) %}cast(datediff({{ until }}, {{ since }}) as bigint){% endmacro %}

{#- The calendar day of an instant in a time zone of the IANA database. -#}
{% macro day_in_zone(instant, zone) %}{{ return(adapter.dispatch('day_in_zone')(instant, zone)) }}{% endmacro %}
{% macro duckdb__day_in_zone(instant, zone) %}cast(timezone({{ zone }}, {{ instant }}) as date){% endmacro %}
{% macro spark__day_in_zone(instant, zone) %}cast(from_utc_timestamp({{ instant }}, {{ zone }}) as date){% endmacro %}

{#- First day of the 'day', the 'week' (from Monday) or the 'month' that contains a day. -#}
{% macro period_start(period_type, day) -%}
    cast(date_trunc('{{ period_type }}', {{ day }}) as date)
{%- endmacro %}

{#- Whether an instant is midnight in UTC, as a date without a time is stored. -#}
{% macro is_utc_midnight(instant) %}{{ return(adapter.dispatch('is_utc_midnight')(instant)) }}{% endmacro %}
{% macro duckdb__is_utc_midnight(instant) %}epoch_us({{ instant }}) % 86400000000 = 0{% endmacro %}
{% macro spark__is_utc_midnight(instant) %}unix_micros({{ instant }}) % 86400000000 = 0{% endmacro %}
