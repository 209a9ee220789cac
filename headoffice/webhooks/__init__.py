"""Telling other systems what has changed: webhooks, and mails for alarms, out of one outbox."""
