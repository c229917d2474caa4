-- What waited for a person is offered by the product's version of the day on which staff offer it.
grant update (product_version) on application to wufeng_app;
