{#-
    What the layers hold, counted each by itself, for `medallion verify`: as a JSON object on dbt's
    log. Amounts are text with two decimals. `files` has the rows of staging by the bronze file they
    came from, for every file in the load history, null where the warehouse has no such history;
    `foreign_rows` is what the history does not vouch for. `quarantine_files` has the quarantined lines
    by their file.

    One statement, so that all is of one moment: on Snowflake nobody holds the pipe back. Rows that have
    no number yet (macros/engine/number_loads.sql) are not counted: they have not been loaded.
-#}
{% macro verify_equation() %}
    {%- set staging = source('raw', 'raw_purchases_staging').render() -%}
    {%- set history = source('raw', 'load_history').render() -%}
    {%- if not table_is_there(source('raw', 'transform_window')) -%}
        {{ exceptions.raise_compiler_error(
            "Nothing has been transformed on the target " ~ target.name
            ~ " yet: `medallion transform --target " ~ target.name ~ "`."
        ) }}
    {%- endif -%}
    {%- set has_history = table_is_there(source('raw', 'load_history')) -%}

    {%- set facts -%}
        select 'staging_rows' as fact, cast(null as varchar) as path, cast(count(_load_seq) as varchar) as amount
        from {{ staging }}
        union all
        select 'lo', null, cast(lo as varchar) from {{ source('raw', 'transform_window').render() }}
        union all
        select 'hi', null, cast(hi as varchar) from {{ source('raw', 'transform_window').render() }}
        union all
        select 'transformed_rows', null, cast(count(*) as varchar)
        from {{ staging }}
        where _load_seq <= (select max(lo) from {{ source('raw', 'transform_window').render() }})
        union all
        select 'silver_rows', null, cast(count(*) as varchar) from {{ relation_of('model.' ~ project_name ~ '.purchases_silver') }}
        union all
        select 'duplicates', null, cast(count(*) as varchar)
        from {{ relation_of('model.' ~ project_name ~ '.purchase_duplicates_silver') }}
        union all
        select 'conflicts', null, cast(count(*) as varchar)
        from {{ relation_of('model.' ~ project_name ~ '.purchase_conflicts_silver') }}
        union all
        select 'silver_revenue', null,
            cast(cast(coalesce(sum(total_amount), 0) as decimal(38, 2)) as varchar)
        from {{ relation_of('model.' ~ project_name ~ '.purchases_silver') }}
        union all
        select 'gold_transactions', null, cast(coalesce(sum(transactions), 0) as varchar)
        from {{ relation_of('model.' ~ project_name ~ '.purchases_gold') }}
        union all
        select 'gold_revenue', null,
            cast(cast(coalesce(sum(revenue), 0) as decimal(38, 2)) as varchar)
        from {{ relation_of('model.' ~ project_name ~ '.purchases_gold') }}
        union all
        select 'quarantine_file', _quarantine_file, cast(count(*) as varchar)
        from {{ source('raw', 'raw_quarantine_staging').render() }}
        group by _quarantine_file
        {%- if has_history %}
        union all
        select 'file', history.path, cast(count(staging._load_seq) as varchar)
        from {{ history }} as history
        left join (select _load_seq from {{ staging }}) as staging
            on staging._load_seq = history.load_seq
        group by history.path
        union all
        select 'foreign_rows', null, cast(count(*) as varchar)
        from {{ staging }}
        where _load_seq not in (select load_seq from {{ history }})
        {%- endif %}
    {%- endset -%}

    {%- set answer = {'files': {} if has_history else none, 'quarantine_files': {}} -%}
    {%- for row in run_query(facts).rows -%}
        {%- if row[0] == 'file' -%}
            {%- do answer.files.update({row[1]: row[2] | int}) -%}
        {%- elif row[0] == 'quarantine_file' -%}
            {%- do answer.quarantine_files.update({row[1]: row[2] | int}) -%}
        {%- elif row[0].endswith('_revenue') -%}
            {%- do answer.update({row[0]: row[2] | string}) -%}
        {%- else -%}
            {%- do answer.update({row[0]: row[2] | int}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do log(tojson(answer, sort_keys=true), info=true) -%}
{% endmacro %}
