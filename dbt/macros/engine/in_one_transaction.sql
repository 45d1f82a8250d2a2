{#-
    Statements, with semicolons between them, that take effect together or not at all, outside a
    model: for run_query in a hook.
-#}
{% macro in_one_transaction(statements) -%}
    {{ return(adapter.dispatch('in_one_transaction')(statements)) }}
{%- endmacro %}

{% macro duckdb__in_one_transaction(statements) -%}
    begin transaction; {{ statements }}; commit
{%- endmacro %}

{% macro snowflake__in_one_transaction(statements) -%}
    {{ snowflake_dml_explicit_transaction(statements) }}
{%- endmacro %}

{#-
    The same inside a materialization, where the statements are its main ones: dbt has opened a
    transaction on DuckDB by then and commits it; on Snowflake every statement commits by itself.
-#}
{% macro in_the_models_transaction(statements) -%}
    {{ return(adapter.dispatch('in_the_models_transaction')(statements)) }}
{%- endmacro %}

{% macro duckdb__in_the_models_transaction(statements) -%}
    {{ statements }}
{%- endmacro %}

{% macro snowflake__in_the_models_transaction(statements) -%}
    {{ snowflake_dml_explicit_transaction(statements) }}
{%- endmacro %}

{#-
    dbt-snowflake's own macro, which also its built-in strategies go by, with one statement before it:
    a statement that fails leaves its transaction open, dbt goes on with the same session, and
    Snowflake commits what is open when the next DDL comes, that is, a deletion without its insert.
    Aborted, the transaction can only be rolled back; it is when dbt closes the session. (By
    Snowflake's documentation; the emulator's engine always does so.)
-#}
{% macro snowflake_dml_explicit_transaction(dml) -%}
    alter session set transaction_abort_on_error = true;
    begin;
    {{ dml | trim | trim(';') }};
    commit;
{%- endmacro %}
