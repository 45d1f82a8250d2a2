-- Gold as its readers see it: a view for each published table, all of one refresh. The lake is ./lake, or
-- what the variable says:  SET VARIABLE lake = 's3://bucket/prefix'
-- Read once, the views stay with their refresh; read this file again to move on to the newest.

SET VARIABLE lake = coalesce(getvariable('lake'), 'lake');
SET VARIABLE pointer = (
    SELECT pointer
    FROM read_json(
        getvariable('lake') || '/gold/current.json',
        columns = {
            refresh: 'VARCHAR',
            published_at: 'TIMESTAMP',
            tables: 'MAP(VARCHAR, STRUCT(files VARCHAR[]))'
        }
    ) AS pointer
);
-- The files of each table.
SET VARIABLE gold = map_from_entries([
    {'k': entry.key, 'v': [getvariable('lake') || '/' || file FOR file IN entry.value.files]}
    FOR entry IN map_entries(getvariable('pointer').tables)
]);

CREATE SCHEMA IF NOT EXISTS gold;
CREATE OR REPLACE TEMP MACRO published(name) AS TABLE
    FROM read_parquet(getvariable('gold')[name], hive_partitioning = false);
CREATE OR REPLACE VIEW gold.customer_cohorts_gold AS FROM published('customer_cohorts_gold');
CREATE OR REPLACE VIEW gold.customers_gold AS FROM published('customers_gold');
CREATE OR REPLACE VIEW gold.data_quality_gold AS FROM published('data_quality_gold');
CREATE OR REPLACE VIEW gold.dates_gold AS FROM published('dates_gold');
CREATE OR REPLACE VIEW gold.hourly_sales_gold AS FROM published('hourly_sales_gold');
CREATE OR REPLACE VIEW gold.product_metrics_gold AS FROM published('product_metrics_gold');
CREATE OR REPLACE VIEW gold.products_gold AS FROM published('products_gold');
CREATE OR REPLACE VIEW gold.purchases_gold AS FROM published('purchases_gold');
CREATE OR REPLACE VIEW gold.store_metrics_gold AS FROM published('store_metrics_gold');
CREATE OR REPLACE VIEW gold.stores_gold AS FROM published('stores_gold');
