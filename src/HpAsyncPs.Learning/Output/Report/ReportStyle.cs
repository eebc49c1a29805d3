namespace HpAsyncPs.Learning.Output.Report;

/// <summary>
/// How a page looks. Activities differ in lightness first, so that they can be told apart in grey and on paper; the hue
/// (blue, orange) is one that most colour-blind eyes keep apart.
/// </summary>
internal static class ReportStyle
{
    public static void Write(Markup page) => page.Add($$"""
        <style>
        :root {
          color-scheme: light dark;
          --page: #ffffff; --ink: #1b2027; --soft: #5a6572; --line: #dfe3e8; --panel: #f5f7f9;
          --curve: #1d58b0; --busy: #2560b8; --evaluating: #f0a63c; --gap: #8a5a10; --idle: #dde3ea; --bad: #a3231d;
          --h0: #1d58b0; --h1: #c2571a; --h2: #1b8a5a; --h3: #9a3fa0; --h4: #8a6d00; --h5: #4a5560;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #14171b; --ink: #e8eaed; --soft: #9da7b3; --line: #2d333b; --panel: #1c2026;
            --curve: #79aef9; --busy: #5b97ec; --evaluating: #ffd594; --gap: #6b4a17; --idle: #323943; --bad: #ff9a92;
            --h0: #79aef9; --h1: #ff9d5c; --h2: #5fd39b; --h3: #de8ee4; --h4: #e3c04d; --h5: #b4bec9;
          }
        }
        @media print {
          :root {
            --page: #ffffff; --ink: #000000; --soft: #444444; --line: #cccccc; --panel: #f4f4f4;
            --curve: #1d58b0; --busy: #2560b8; --evaluating: #f0a63c; --gap: #8a5a10; --idle: #dde3ea; --bad: #a3231d;
            --h0: #1d58b0; --h1: #c2571a; --h2: #1b8a5a; --h3: #9a3fa0; --h4: #8a6d00; --h5: #4a5560;
          }
        }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; }
        body {
          margin: 0; background: var(--page); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
        }
        main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 56px; }
        h1 { font-size: 32px; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; margin: 2px 0 8px; }
        h2 { font-size: 19px; line-height: 1.3; font-weight: 650; letter-spacing: -0.005em; margin: 0 0 6px; }
        p { margin: 0 0 10px; }
        section { margin-top: 44px; }
        .light { font-weight: 400; color: var(--soft); }
        .over, .note, .lead, .legend, .empty { color: var(--soft); }
        .over, .note { font-size: 13px; }
        .lead, .legend { font-size: 14px; }
        .over { margin: 0; }
        .outcome { font-size: 18px; margin: 0; }
        .empty { padding: 22px 16px; background: var(--panel); border-radius: 6px; text-align: center; }
        .failure { margin: 14px 0 0; padding: 10px 14px; border-left: 4px solid var(--bad); background: var(--panel); overflow-wrap: anywhere; }
        .failure b { color: var(--bad); }
        dl, dd, dt, figure { margin: 0; padding: 0; }
        .figures {
          display: flex; flex-wrap: wrap; gap: 18px 34px;
          margin-top: 26px; padding: 20px 0; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line);
        }
        .figures dt { font-size: 13px; color: var(--soft); }
        .figures dd { font-size: 20px; line-height: 1.3; font-weight: 600; font-variant-numeric: tabular-nums; }
        .figures dd.note { font-size: 13px; font-weight: 400; }
        .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); gap: 28px 32px; margin: 18px 0 12px; }
        .four { grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); }
        figure { max-width: 400px; }
        .four figure { max-width: 500px; }
        .pair figure { max-width: 344px; margin: 14px 0 12px; }
        figcaption { font-size: 14px; color: var(--soft); margin-bottom: 8px; font-variant-numeric: tabular-nums; }
        figcaption b { color: var(--ink); font-weight: 650; margin-right: 6px; }
        .plot { display: block; width: 100%; height: auto; overflow: visible; }
        .plot text { font-size: 11.5px; fill: var(--soft); font-variant-numeric: tabular-nums; }
        .plot .halo { fill: var(--ink); stroke: var(--page); stroke-width: 4; stroke-linejoin: round; paint-order: stroke; }
        .grid { stroke: var(--line); stroke-width: 1; fill: none; }
        .axis { stroke: var(--soft); stroke-width: 1; fill: none; }
        .curve { stroke: var(--curve); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; fill: none; }
        .dot { fill: var(--curve); stroke: var(--page); stroke-width: 1; }
        .target { stroke: var(--soft); stroke-width: 1.3; stroke-dasharray: 5 4; fill: none; }
        .series { stroke-width: 2; stroke-linejoin: round; fill: none; }
        .h0 { stroke: var(--h0); color: var(--h0); }
        .h1 { stroke: var(--h1); color: var(--h1); }
        .h2 { stroke: var(--h2); color: var(--h2); }
        .h3 { stroke: var(--h3); color: var(--h3); }
        .h4 { stroke: var(--h4); color: var(--h4); }
        .h5 { stroke: var(--h5); color: var(--h5); }
        .d1 { stroke-dasharray: 7 4; } .d2 { stroke-dasharray: 2 3.5; } .d3 { stroke-dasharray: 9 3 2 3; }
        .point { fill: currentColor; stroke: var(--page); stroke-width: 1; }
        .series-key { width: 34px; height: 10px; }
        .rows td, .rows th { padding-left: 10px; font-size: 12.5px; }
        .rows th:first-child { padding-left: 0; }
        a { color: var(--curve); }
        h3 { font-size: 14px; font-weight: 650; margin: 20px 0 4px; }
        .bar { fill: var(--busy); }
        .busy { fill: var(--busy); }
        .evaluating { fill: var(--evaluating); }
        .gap { fill: var(--gap); }
        .striped { fill: url(#stripes) var(--evaluating); }
        .idle { fill: var(--idle); }
        .hidden { position: absolute; }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: center; margin: 6px 0 12px; }
        .key { display: inline-flex; align-items: center; gap: 7px; color: var(--ink); }
        .lanes { display: grid; grid-template-columns: auto 1fr auto; gap: 5px 10px; align-items: center; }
        .lanes svg { display: block; width: 100%; height: 24px; background: var(--page); outline: 1px solid var(--line); }
        .who, .share { font-size: 13px; line-height: 1; text-align: right; font-variant-numeric: tabular-nums; }
        .share, .head { color: var(--soft); white-space: nowrap; }
        .scale { position: relative; height: 22px; font-size: 12.5px; color: var(--soft); font-variant-numeric: tabular-nums; }
        .scale span { position: absolute; top: 2px; transform: translateX(-50%); }
        .scale span:first-child { transform: none; }
        .scale .unit { right: 0; transform: none; }
        .pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.5fr); gap: 0 56px; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: 5px 0 5px 14px; border-bottom: 1px solid var(--line); white-space: nowrap; }
        th:first-child { padding-left: 0; text-align: left; }
        thead th { color: var(--soft); font-weight: 400; font-size: 13px; }
        tbody th { font-weight: 650; }
        .settings { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(250px, 100%), 1fr)); gap: 8px 28px; margin: 8px 0 18px; }
        .settings div { display: flex; justify-content: space-between; gap: 12px; border-bottom: 1px solid var(--line); padding: 3px 0; font-size: 14px; }
        .settings dt { color: var(--soft); }
        .settings dd { text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
        pre {
          margin: 0; padding: 14px 16px; background: var(--panel); border-radius: 6px; font-size: 13px; line-height: 1.55;
          font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere;
        }
        @media (max-width: 860px) { .pair { grid-template-columns: minmax(0, 1fr); } }
        @media (max-width: 520px) {
          main { padding: 24px 16px 40px; }
          h1 { font-size: 25px; }
          .figures { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }
          .figures dd { font-size: 18px; overflow-wrap: anywhere; }
          .lanes { gap: 5px 7px; }
          th, td { padding-left: 10px; font-size: 13px; }
        }
        @media print {
          main { max-width: none; padding: 0; }
          section, figure, .lanes, tr { break-inside: avoid; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        }
        </style>

        """);
}
