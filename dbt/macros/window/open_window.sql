{#-
    on-run-start: sets the end of the window to the newest load in staging, and makes the tables
    that carry the window if they are not there. The start stays where the last complete run left
    it, except that it goes back to 0, which makes every model derive everything anew, when silver
    is about to be made anew: the rows that silver held would be forgotten otherwise.
-#}
{% macro open_window() %}
    {%- if execute and flags.WHICH in ['run', 'build', 'retry'] -%}
        {#- Rendered, since --empty makes a query of everything else that source() gives. -#}
        {%- set staging = source('raw', 'raw_purchases_staging').render() -%}
        {%- set transform_window = source('raw', 'transform_window').render() -%}
        {%- set prior_winners = source('raw', 'transform_prior_winners').render() -%}

        {%- if not table_is_there(source('raw', 'raw_purchases_staging')) -%}
            {{ exceptions.raise_compiler_error(
                staging ~ " is not there. Load something first: `medallion ingest --once`."
            ) }}
        {%- endif -%}

        {%- set silver_id = 'model.' ~ project_name ~ '.purchases_silver' -%}
        {%- set silver = graph.nodes[silver_id] -%}
        {%- set starts_over = (
            not table_is_there(source('raw', 'transform_window'))
            or not table_is_there(source('raw', 'transform_prior_winners'))
            or not table_is_there(api.Relation.create(
                database=silver.database, schema=silver.schema, identifier=silver.alias))
            or (flags.FULL_REFRESH and silver_id in selected_resources)
        ) -%}

        {%- if starts_over -%}
            {%- do run_query('create table if not exists ' ~ transform_window
                ~ ' (lo bigint not null, hi bigint not null)') -%}
            {%- do run_query('create table if not exists ' ~ prior_winners ~ ' (
                event_key ' ~ event_key_type() ~ ' not null, event_id varchar not null,
                _source_object varchar not null, _source_line bigint not null,
                _load_seq bigint not null, day date not null)') -%}
            {%- do run_query('insert into ' ~ transform_window ~ ' (lo, hi)
                select 0, 0 where not exists (select 1 from ' ~ transform_window ~ ')') -%}
            {%- do run_query(in_one_transaction(
                'update ' ~ transform_window ~ ' set lo = 0; delete from ' ~ prior_winners
            )) -%}
        {%- endif -%}

        {{- unpublish_gold() -}}
        {%- do run_query('update ' ~ transform_window
            ~ ' set hi = (select coalesce(max(_load_seq), 0) from ' ~ staging ~ ')') -%}

        {%- set window = window_bounds() -%}
        {%- if window.hi < window.lo -%}
            {{ exceptions.raise_compiler_error(
                staging ~ " ends at load " ~ window.hi ~ ", but silver has taken in load "
                ~ window.lo ~ ": rows have left staging. To derive everything from what is left: "
                ~ "`dbt run --full-refresh`."
            ) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
