"""The sensor that tells people: it watches the trading daemon from outside, and delivers what waits beside it."""

from datetime import timedelta

import dagster as dg

from stonks_assets.resources import PipelineResource
from stonks_core.notifications.channels import channels_of
from stonks_core.notifications.delivery import deliver, ensure_channels
from stonks_core.notifications.watch import SILENT, watch_engine


@dg.sensor(
    name="messages",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells people when the trading daemon died or hangs, and sends the notices that nobody else has sent.",
)
def messages(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SkipReason:
    """Every half minute, pipeline on or off: who must be told is not the pipeline's business. Asks for no run."""
    with pipeline.open() as opened:
        now, settings = opened.clock.now(), opened.settings.notifying
        trading = opened.settings.trading
        rounds = max(trading.polling_interval_seconds, trading.fast_stop_loss_interval_seconds)
        engine = watch_engine(opened.database, now, max(SILENT, timedelta(seconds=3 * rounds)))
        channels = channels_of(settings)
        ensure_channels(opened.database, channels, settings, now)
        done = deliver(opened.database, channels, now)
    if done.sent or done.failed:
        context.log.info("%d messages sent, %d failed, %d held back", done.sent, done.failed, done.held_back)
    through = ", ".join(channels) or "no channel: see TRADING_SNS_*, TRADING_GMAIL_* and TRADING_NOTIFY_URLS"
    return dg.SkipReason(f"{engine}; {done.sent} messages sent through {through}")
