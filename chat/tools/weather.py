"""A tool that asks Open-Meteo for the weather. Offered only where CHAT_TOOLS names it."""

from __future__ import annotations

from typing import Any

import httpx2
from django.conf import settings

from chat.tools.registry import ToolError, tool

# Open-Meteo, "Weather Forecast API": names of variables.
_CURRENT = (
    "temperature_2m,apparent_temperature,relative_humidity_2m,precipitation,weather_code,"
    "cloud_cover,wind_speed_10m,wind_direction_10m"
)
_DAILY = "temperature_2m_max,temperature_2m_min,precipitation_sum,weather_code"
_KEPT = ("timezone", "current", "current_units", "daily", "daily_units")


@tool
async def weather(latitude: float, longitude: float, days: int = 3) -> dict[str, Any]:
    """Tell the weather at a place on Earth now, and the forecast for the next days.

    Weather codes are those of the WMO (table 4677): 0 is a clear sky, 61 light rain, 95 a storm.

    Args:
        latitude: in degrees north, from -90 to 90.
        longitude: in degrees east, from -180 to 180.
        days: how many days to tell of, from 1 to 7.
    """
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and 1 <= days <= 7):
        raise ToolError("There is no such place, or there are too many days.")
    asked: dict[str, str | float | int] = {
        "latitude": latitude,
        "longitude": longitude,
        "current": _CURRENT,
        "daily": _DAILY,
        "forecast_days": days,
        "timezone": "auto",
    }
    try:
        # How long it may take, the caller decides.
        async with httpx2.AsyncClient(timeout=None) as client:
            response = await client.get(f"{settings.CHAT_WEATHER_URL}/v1/forecast", params=asked)
            response.raise_for_status()
            told = response.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise ToolError("The weather service can't be reached, or did not answer.") from error
    if not isinstance(told, dict):
        raise ToolError("The weather service did not answer as it should.")
    return {name: told[name] for name in _KEPT if name in told}
