//! A browser, spoken to by WebDriver (<https://www.w3.org/TR/webdriver2/>) through chromedriver: as much of it as the
//! walks need.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

/// What is not to be seen by then does not come.
const PATIENCE: Duration = Duration::from_secs(20);
/// The key under which an element's id stands in answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub(crate) const TAB: char = '\u{e004}';
pub(crate) const ENTER: char = '\u{e007}';
pub(crate) const RIGHT: char = '\u{e014}';

/// A browser with one window. It ends with the value.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    site: String,
}

impl Browser {
    /// Starts one that looks at the pages of a server.
    pub(crate) fn start(address: &str) -> Self {
        // The driver dies with the thread that starts it, which is the test's, and the browser with the driver.
        let mut driver = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "chromedriver", "--port=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("could not start chromedriver: scripts/packages installs it");
        let mut said = BufReader::new(driver.stdout.take().unwrap()).lines().map(Result::unwrap);
        let port = said.find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let port = port.expect("chromedriver says on which port it listens");
        let site = format!("http://{address}");
        let mut browser = Self { driver, port, session: String::new(), site };
        let mut arguments =
            vec!["--headless=new", "--force-device-scale-factor=1", "--remote-debugging-pipe"];
        // The browser's own sandbox refuses root.
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            arguments.push("--no-sandbox");
        }
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let new = json!({ "capabilities": { "alwaysMatch": wanted } });
        let session = browser.ask("POST", "/session", &new);
        browser.session = format!("/session/{}", session["sessionId"].as_str().unwrap());
        browser.size(1400, 900);
        browser
    }

    /// Opens a page of the server.
    pub(crate) fn open(&self, path: &str) {
        self.command("POST", "/url", &json!({ "url": format!("{}{path}", self.site) }));
    }

    /// The path and the query of the page that is shown.
    pub(crate) fn path(&self) -> String {
        let url = self.command("GET", "/url", &Value::Null);
        url.as_str().unwrap().trim_start_matches(&self.site).to_owned()
    }

    /// Runs a script that returns something.
    pub(crate) fn script(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// All the text a person reads on the page.
    pub(crate) fn text(&self) -> String {
        self.script("return document.body.innerText").as_str().unwrap().to_owned()
    }

    /// Waits until the page says something, which it does by itself.
    pub(crate) fn until_text(&self, wanted: &str) {
        self.until(&format!("the text {wanted:?}"), || self.text().contains(wanted));
    }

    /// Waits until a link, a button or a field is there that a selector finds, and goes by it.
    pub(crate) fn click(&self, selector: &str) {
        let element = self.find(selector);
        self.command("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Clicks the first of those a selector finds that holds a text.
    pub(crate) fn click_text(&self, selector: &str, text: &str) {
        let script = format!(
            "const found = [...document.querySelectorAll({selector:?})].find(e => e.textContent.includes({text:?})); \
             document.querySelectorAll('[data-walk]').forEach(e => e.removeAttribute('data-walk')); \
             found?.setAttribute('data-walk', ''); return Boolean(found)"
        );
        let what = format!("{selector} with the text {text:?}");
        self.until(&what, || self.script(&script) == Value::Bool(true));
        self.click("[data-walk]");
    }

    /// Types into a field.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        let typed = json!({ "text": text });
        self.command("POST", &format!("/element/{element}/value"), &typed);
    }

    /// Presses keys, wherever the keyboard's focus is.
    pub(crate) fn press(&self, keys: impl IntoIterator<Item = char>) {
        let strokes: Vec<Value> = keys
            .into_iter()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
            })
            .collect();
        let keyboard = json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes }] });
        self.command("POST", "/actions", &keyboard);
    }

    /// What has the keyboard's focus: its text, or its accessible name.
    pub(crate) fn focused(&self) -> String {
        let script = "const e = document.activeElement; \
                      return e.getAttribute('aria-label') ?? e.innerText ?? e.textContent ?? e.tagName";
        self.script(script).as_str().unwrap_or_default().trim().to_owned()
    }

    /// Presses the tabulator until something with a text has the focus.
    pub(crate) fn tab_to(&self, wanted: &str) {
        for _ in 0..60 {
            self.press([TAB]);
            if self.focused().starts_with(wanted) {
                return;
            }
        }
        panic!("{wanted:?} cannot be reached by keyboard on {}", self.path());
    }

    /// Makes the window as large as a screen.
    pub(crate) fn size(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.protocol("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Prefers a theme, `light` or `dark`.
    pub(crate) fn prefer(&self, theme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        self.protocol("Emulation.setEmulatedMedia", &features);
    }

    /// What the browser complained about since it was asked last, such as a breach of the content policy. That a form
    /// with a mistake is answered by 422, and that there is no page `/nowhere`, is meant.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.command("POST", "/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().unwrap().iter();
        let severe =
            entries.filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        let messages = severe.map(|entry| entry["message"].as_str().unwrap().to_owned());
        let meant = |message: &String| {
            message.contains("status of 422") || message.contains("/nowhere - Failed")
        };
        messages.filter(|message| !meant(message)).collect()
    }

    /// Looks until `look` is true.
    pub(crate) fn until(&self, what: &str, look: impl Fn() -> bool) {
        let began = Instant::now();
        while !look() {
            assert!(
                began.elapsed() < PATIENCE,
                "waited for {what} in vain on {}:\n{}",
                self.path(),
                self.text()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn find(&self, selector: &str) -> String {
        let began = Instant::now();
        let sought = json!({ "using": "css selector", "value": selector });
        loop {
            let found = self.command("POST", "/elements", &sought);
            if let Some(element) = found.as_array().unwrap().first() {
                return element[ELEMENT].as_str().unwrap().to_owned();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "no {selector} on {}:\n{}",
                self.path(),
                self.text()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn protocol(&self, name: &str, parameters: &Value) {
        let command = json!({ "cmd": name, "params": parameters });
        self.command("POST", "/goog/cdp/execute", &command);
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, &format!("{}{path}", self.session), body)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver answers");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let (status, body) = read_answer(&mut BufReader::new(stream));
        let answer: Value =
            serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        assert!(status.contains(" 200 "), "{method} {path}: {}", answer["value"]["message"]);
        answer["value"].clone()
    }
}

/// The first line and the body of an answer. The driver keeps the connection, whatever it is asked.
fn read_answer(stream: &mut BufReader<TcpStream>) -> (String, String) {
    let mut line = || {
        let mut line = String::new();
        stream.read_line(&mut line).expect("chromedriver answers");
        line.trim_end().to_owned()
    };
    let status = line();
    let mut length = 0;
    loop {
        let header = line().to_ascii_lowercase();
        match header.split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("chromedriver answers in full");
    (status, String::from_utf8(body).unwrap())
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session, and in any case when the pipe to its driver breaks.
        if !self.session.is_empty() && !std::thread::panicking() {
            self.command("DELETE", "", &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
