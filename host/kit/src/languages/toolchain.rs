//! What each language brings along to build and test its projects.

use std::path::PathBuf;

use crate::languages::{
    interpreted, javascript, javascript_tests,
    project::{Language, Project},
    python, python_tests, rust,
    toolbox::{Tested, ToolWork, Toolbox},
};

/// How projects in one language are built and tested.
pub(crate) struct Toolchain {
    /// Builds a project. Returns the component's path.
    pub(crate) build: for<'a> fn(&'a Project, &'a Toolbox) -> ToolWork<'a, PathBuf>,
    /// Runs a project's own tests, which must pass.
    pub(crate) test: for<'a> fn(&'a Project, &'a Toolbox) -> ToolWork<'a, Tested>,
}

const RUST: Toolchain = Toolchain {
    build: |project, toolbox| Box::pin(rust::build(project, toolbox)),
    test: |project, toolbox| Box::pin(rust::test(project, toolbox)),
};

const JAVASCRIPT: Toolchain = Toolchain {
    build: |project, toolbox| Box::pin(interpreted::build(project, &javascript::BUNDLER, toolbox)),
    test: |project, toolbox| Box::pin(javascript_tests::test(project, toolbox)),
};

const PYTHON: Toolchain = Toolchain {
    build: |project, toolbox| Box::pin(interpreted::build(project, &python::BUNDLER, toolbox)),
    test: |project, toolbox| Box::pin(python_tests::test(project, toolbox)),
};

impl Language {
    pub(crate) fn toolchain(self) -> &'static Toolchain {
        match self {
            Self::Rust => &RUST,
            Self::JavaScript => &JAVASCRIPT,
            Self::Python => &PYTHON,
        }
    }
}
