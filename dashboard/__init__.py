"""What people see: pages, components, charts, reports."""
