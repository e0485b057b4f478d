using Microsoft.Playwright;

namespace Twin.EndToEnd.Tests;

/// <summary>Works a page by the keyboard alone, as somebody without a mouse does.</summary>
internal static class Keyboard
{
    /// <summary>Elements that one walks over at most; a page with more stops is no page for a keyboard.</summary>
    private const int MaxTabs = 200;

    public static Task Press(this IPage page, string key) => page.Keyboard.PressAsync(key);

    public static Task Write(this IPage page, string text) => page.Keyboard.InsertTextAsync(text);

    /// <summary>Presses Tab until that element has the focus.</summary>
    public static async Task Reach(this IPage page, string selector)
    {
        await page.Locator(selector).First.WaitForAsync();
        for (var i = 0; i < MaxTabs; i++)
        {
            if (await page.EvaluateAsync<bool>("s => document.activeElement?.matches(s) ?? false", selector)) return;
            await page.Press("Tab");
        }
        Assert.Fail($"{selector} cannot be reached by {MaxTabs} times Tab on {page.Url}.");
    }

    /// <summary>Chooses in a list of the browser's own by typing what is shown.</summary>
    public static async Task Choose(this IPage page, string selector, string value)
    {
        await page.Reach(selector);
        var wanted = await page.Locator(selector).EvaluateAsync<int>(
            "(e, v) => [...e.options].findIndex(o => o.value === v)", value);
        Assert.True(wanted >= 0, $"{selector} has no option {value}");
        for (var i = 0; i < wanted; i++) await page.Press("ArrowDown");
        Assert.Equal(value, await page.Locator(selector).InputValueAsync());
    }

    public static Task See(this IPage page, string selector) => page.Locator(selector).First.WaitForAsync();

    /// <summary>Waits until the element says so.</summary>
    public static Task Say(this IPage page, string selector, string text) =>
        page.Locator(selector, new PageLocatorOptions { HasText = text }).First.WaitForAsync();
}
